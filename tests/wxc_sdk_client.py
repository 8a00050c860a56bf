"""A client that was written for Webex, against the simulated organization.

Run by tests/binary/client.rs, or by hand:

    dectl simulate 3x4 &                       # prints the two variables
    python3 tests/wxc_sdk_client.py

Needs wxc_sdk (https://github.com/jeokrohn/wxc_sdk). Every check prints a line; the last one is "ok".
"""

import os
import sys

from wxc_sdk import WebexSimpleApi
from wxc_sdk.rest import RestError
from wxc_sdk.telephony.dect_devices import DECTNetworkModel


def check(what, holds):
    print(f"{'yes' if holds else 'NO '}  {what}", flush=True)
    if not holds:
        sys.exit(1)


def refused(status, code, call):
    """Whether a call is refused with this status, with a tracking id, and perhaps with this code."""
    try:
        call()
    except RestError as error:
        body = error.response.json()
        codes = [entry.get("errorCode") for entry in body.get("errors", [])]
        tracked = bool(body.get("trackingId")) and bool(error.response.headers.get("trackingid"))
        return error.response.status_code == status and tracked and (code is None or code in codes)
    return False


def main():
    base = os.environ["WEBEX_API_URL"]
    token = os.environ["WEBEX_ACCESS_TOKEN"]
    api = WebexSimpleApi(tokens=token, retry_429=False)
    api.session.BASE = base
    type(api.session).BASE = base
    dect = api.telephony.dect_devices

    networks = list(dect.list_dect_networks())
    check("the list has networks with names, locations and counts", len(networks) == 12 and all(
        network.name and network.location.id and network.number_of_base_stations is not None for network in networks))
    one = networks[0]
    location = one.location.id

    detail = dect.dect_network_details(location_id=location, dect_network_id=one.id)
    check("one network has all settings", detail.default_access_code == one.default_access_code)

    found = list(dect.list_dect_networks(location_id=location))
    check("the list can be narrowed to a location", len(found) == 4)

    dect.update_dect_network(location_id=location, dect_network_id=one.id, name="Renamed", display_name="Renamed",
                             default_access_code_enabled=True, default_access_code="0042")
    again = dect.dect_network_details(location_id=location, dect_network_id=one.id)
    check("an update is seen, zeros at the front of a code included",
          (again.name, again.default_access_code) == ("Renamed", "0042"))

    made = dect.create_dect_network(location_id=location, name="New one", display_name="New",
                                    model=DECTNetworkModel.dms_cisco_dbs210, default_access_code_enabled=True,
                                    default_access_code="7777")
    check("a network can be created", made in {network.id for network in dect.list_dect_networks()})

    check("a taken name is refused with 409", refused(409, None, lambda: dect.update_dect_network(
        location_id=location, dect_network_id=made, name="Renamed", display_name="x",
        default_access_code_enabled=True, default_access_code="7777")))
    check("a code of three digits is refused with 400", refused(400, None, lambda: dect.update_dect_network(
        location_id=location, dect_network_id=made, name="New one", display_name="x",
        default_access_code_enabled=True, default_access_code="777")))

    dect.delete_dect_network(location_id=location, dect_network_id=made)
    check("a network that is gone is refused with 404 and the code 27455", refused(404, 27455, lambda:
          dect.dect_network_details(location_id=location, dect_network_id=made)))

    pages = []
    api.session.hooks["response"].append(lambda answer, **_: pages.append(answer) if "/locations?" in answer.url else None)
    locations = list(api.locations.list(max=2))
    check("locations come page by page", len(locations) == 3 and {place.name for place in locations} == {
        "Hospital 001", "Hospital 002", "Hospital 003"})
    check("and the client followed the link to the second page",
          len(pages) == 2 and "next" in pages[0].links and "next" not in pages[1].links)

    me = api.people.me()
    check("it is told whose token it is, and of which organization", bool(me.display_name and me.org_id))
    named = list(dect.list_dect_networks(name="Ward 2", org_id=me.org_id))
    check("the list can be narrowed to a name, in an organization that is named",
          len(named) == 3 and all("Ward 2" in network.name for network in named))

    stranger = WebexSimpleApi(tokens="another-token", retry_429=False)
    check("another token is refused with 401",
          refused(401, None, lambda: list(stranger.telephony.dect_devices.list_dect_networks())))
    print("ok")


main()
