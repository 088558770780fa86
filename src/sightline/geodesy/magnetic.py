"""How far a compass points beside true north."""

from pygeomag import GeoMag

from sightline.errors import OptionError

FIRST_YEAR, END_YEAR = 2010.0, 2030.0
"""What the world magnetic models at hand are made for; outside, they are not asked."""


def declination_deg(lat_deg: float, lon_deg: float, height_m: float, year: float) -> float:
    """Degrees that magnetic north lies east of true north; ``year`` is a decimal year, height above the ellipsoid.

    Source: World Magnetic Models 2010 to 2025 (NOAA/NCEI and BGS), by ``pygeomag``.

    Raises:
        OptionError: no model holds for that year.
    """
    if not FIRST_YEAR <= year < END_YEAR:
        raise OptionError(
            f"magnetic_declination 'auto': no magnetic model for the year {year:.1f} "
            f"({FIRST_YEAR:.0f} to {END_YEAR:.0f} are known); give it in degrees"
        )
    model = GeoMag(base_year=year)
    return float(model.calculate(glat=lat_deg, glon=lon_deg, alt=height_m / 1000, time=year).d)
