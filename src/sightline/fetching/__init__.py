"""Addresses that strangers give: which of them may be opened, and getting files from them safely.

``Policy.check`` says what an address is and refuses what is not allowed; ``download`` brings the file. Both look a
name up once, check every address that it has, and connect to one of those, whatever the name means a moment later.
``relayed`` does the same for streams, which others open.
"""

from sightline.fetching.content import check_media as check_media
from sightline.fetching.download import download as download
from sightline.fetching.hosts import Resolver as Resolver
from sightline.fetching.policy import Address as Address
from sightline.fetching.policy import Policy as Policy
from sightline.fetching.relay import relayed as relayed
