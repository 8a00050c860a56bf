"""A client of another hand, against the simulated organization.

Run by tests/cli/client.rs, or by hand:

    dectl simulate 3x4 &                       # prints the two variables
    python3 tests/wxcadm_client.py

Needs wxcadm 4.6.1 (https://github.com/kctrey/wxcadm); later versions are empty. Every check prints a line; the last one is
"ok".
"""

import os
import sys
import warnings

warnings.simplefilter("ignore")

import wxcadm
import wxcadm.common
import wxcadm.webex


def check(what, holds):
    print(f"{'yes' if holds else 'NO '}  {what}", flush=True)
    if not holds:
        sys.exit(1)


def main():
    base = os.environ["WEBEX_API_URL"].removesuffix("v1")
    # The address is a constant of the package.
    wxcadm.webex._url_base = base
    wxcadm.common.WebexApi.__init__.__defaults__ = (None, base, 1)
    webex = wxcadm.Webex(os.environ["WEBEX_ACCESS_TOKEN"])
    check("the organization of the token is listed", webex.org.id == webex.orgs[0].id)

    networks = webex.org.dect_networks
    check("the networks are listed", len(networks) == 12)
    network = networks[2]
    check("a network has its settings", network.default_access_code_enabled and len(network.default_access_code) == 4)
    stations = network.base_stations
    check("a network has its base stations", len(stations) == network.number_of_base_stations)
    handsets = network.handsets
    check("and its handsets", len(handsets) == network.number_of_handsets_assigned)

    check("a network is renamed", network.set_name("Renamed by another hand"))
    renamed = [one for one in networks.refresh() if one.id == network.id][0]
    check("and nothing else of it is changed",
          (renamed.name, renamed.display_name, renamed.default_access_code)
          == ("Renamed by another hand", network.display_name, network.default_access_code))
    other = [one for one in networks if one.location_id == renamed.location_id and one.id != renamed.id][0]
    check("a name that is taken is refused", not renamed.set_name(other.name))
    removed = stations[0]
    removed.delete()
    check("a base station is deleted", removed.id not in {station.id for station in renamed.base_stations})
    handsets[0].delete()
    check("a handset is deleted", len(renamed.handsets) == len(handsets) - 1)
    print("ok")


main()
