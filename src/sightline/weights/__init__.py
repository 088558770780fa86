"""Weights of networks: a catalogue of known ones, and a shelf on this machine where they lie.

``find`` gives the file for a name or a path, and is all that engines need. Downloading is in ``pulling``, which
nothing imports but the command that is asked to.
"""

from sightline.weights.catalogue import Entry as Entry
from sightline.weights.catalogue import catalogue as catalogue
from sightline.weights.shelf import Weights as Weights
from sightline.weights.shelf import add as add
from sightline.weights.shelf import find as find
from sightline.weights.shelf import folder as folder
from sightline.weights.shelf import on_shelf as on_shelf
from sightline.weights.shelf import remove as remove
from sightline.weights.shelf import sha256_of as sha256_of
