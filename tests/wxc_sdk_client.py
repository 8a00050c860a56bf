"""A client that was written for Webex, against the simulated organization.

Run by tests/binary/client.rs, or by hand:

    dectl simulate 3x4 &                       # prints the two variables
    python3 tests/wxc_sdk_client.py

Needs wxc_sdk (https://github.com/jeokrohn/wxc_sdk). Every check prints a line; the last one is "ok".
"""

import asyncio
import inspect
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from wxc_sdk import WebexSimpleApi
from wxc_sdk.as_api import AsWebexSimpleApi
from wxc_sdk.rest import RestError
from wxc_sdk.telephony.dect_devices import AddDECTHandset, DECTNetworkModel


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


class Recorder:
    """Passes calls on, and keeps the names of the methods that were called."""

    def __init__(self, inner):
        self.inner = inner
        self.called = set()

    def __getattr__(self, name):
        method = getattr(self.inner, name)

        def call(*args, **kwargs):
            self.called.add(name)
            result = method(*args, **kwargs)
            return list(result) if inspect.isgenerator(result) else result

        return call

    def missing(self):
        """The methods of the API that were not called."""
        own = type(self.inner)
        public = {name for name, _ in inspect.getmembers(own, inspect.isfunction) if not name.startswith("_")}
        of_all = {name for base in own.__mro__[1:] for name in vars(base)}
        return sorted(public - of_all - self.called - {"available_members_gen"})


async def awaited(value):
    """What a call of the synchronous or of the asynchronous client returns."""
    return await value if inspect.isawaitable(value) else value


async def every_operation(kind, dect, location):
    """Every method of the DECT API once, in the order in which an administrator would need them."""
    def say(what, holds):
        check(f"{kind}: {what}", holds)

    async def ask(method, *args, **kwargs):
        return await awaited(getattr(dect, method)(*args, **kwargs))

    models = {device.model for device in await ask("device_type_list")}
    say("both models are offered", models == {"DMS Cisco DBS110", "DMS Cisco DBS210"})
    network = await ask("create_dect_network", location_id=location, name=f"All {kind}", display_name="All",
                        model=DECTNetworkModel.dms_cisco_dbs210, default_access_code_enabled=True,
                        default_access_code={"sync": "8001", "async": "8002"}[kind])
    at = {"location_id": location, "dect_network_id": network}
    detail = await ask("dect_network_details", **at)
    await ask("update_dect_network", **at, name=f"All of {kind}", display_name=detail.display_name,
              default_access_code_enabled=True, default_access_code=detail.default_access_code)
    say("a network has its new name", f"All of {kind}" in {one.name for one in await ask("list_dect_networks")})
    # The names of the fields that it sends are those of Python, which no description knows.
    say("settings under other names are refused with 400", await refused_later(
        400, lambda: ask("update_dect_network_settings", detail)))

    macs = [f"AFFE{4096 + number:08X}" for number in range(50)] if kind == "sync" else ["BFFE00000001"]
    made = await ask("create_base_stations", location_id=location, dect_id=network, base_station_macs=macs)
    say("every base station has a result", [one.result.status for one in made] == [201] * len(macs))
    listed = await ask("list_base_stations", **at)
    say("they are listed with the ids of the results",
        {one.mac: one.id for one in listed} == {one.mac: one.result.id for one in made})
    one = await ask("base_station_details", **at, base_station_id=listed[0].id)
    say("one base station has its address", (one.id, one.mac) == (listed[0].id, listed[0].mac))
    await ask("delete_base_station", **at, base_station_id=listed[0].id)
    await ask("delete_bulk_base_stations", **at)
    say("all of them can be deleted", await ask("list_base_stations", **at) == [])

    members = list(await ask("available_members", location_id=location))
    people = [member.member_id for member in members if member.member_type == "PEOPLE"]
    places = [member.member_id for member in members if member.member_type == "PLACE"]
    lines = [member.member_id for member in members if member.member_type == "VIRTUAL_LINE"]
    await ask("add_a_handset", **at, line1_member_id=people[0], custom_display_name="First")
    added = await ask("add_list_of_handsets", **at, items=[
        AddDECTHandset(line1_member_id=people[1], line2_member_id=lines[0], custom_display_name="Second"),
        AddDECTHandset(line1_member_id=places[0], custom_display_name="Third"),
        AddDECTHandset(line1_member_id=people[2], custom_display_name="Fourth"),
        AddDECTHandset(line1_member_id=people[3], custom_display_name="Fifth")])
    say("every handset has a result", [item.result.status for item in added] == [200] * 4)
    handsets = (await ask("list_handsets", **at)).handsets
    say("they are listed", [one.custom_display_name for one in handsets] == ["First", "Second", "Third", "Fourth", "Fifth"])
    of_person = (await ask("list_handsets", **at, member_id=people[1])).handsets
    say("those of a member can be asked for", [one.id for one in of_person] == [handsets[1].id])
    await ask("update_handset", **at, handset_id=handsets[0].id, line1_member_id=people[0],
              line2_member_id=people[4], custom_display_name="One")
    changed = await ask("handset_details", **at, handset_id=handsets[0].id)
    say("a handset has a new name and a second line", (changed.custom_display_name, len(changed.lines)) == ("One", 2))
    await ask("update_handset", **at, handset_id=handsets[0].id, line1_member_id=people[0], custom_display_name="One")
    changed = await ask("handset_details", **at, handset_id=handsets[0].id)
    say("what is not sent is removed", len(changed.lines) == 1)
    for method, member in [("dect_networks_associated_with_person", people[1]),
                           ("dect_networks_associated_with_workspace", places[0]),
                           ("dect_networks_associated_with_virtual_line", lines[0])]:
        say(f"{method} has the network", network in {one.id for one in await ask(method, member)})
    await ask("delete_handset", **at, handset_id=handsets[0].id)
    await ask("delete_handsets", **at, handset_ids=[handsets[1].id, handsets[2].id], delete_all=False)
    left = (await ask("list_handsets", **at)).handsets
    say("only those that were named are gone", [one.id for one in left] == [one.id for one in handsets[3:]])
    await ask("delete_handsets", **at, handset_ids=[], delete_all=True)
    say("or all of them", (await ask("list_handsets", **at)).handsets == [])

    say("no password is enabled", await ask("get_dect_serviceability_password_status", **at) is False)
    await ask("update_dect_serviceability_password_status", **at, enabled=True)
    say("one can be enabled before it exists", await ask("get_dect_serviceability_password_status", **at) is True)
    password = await ask("generate_and_enable_dect_serviceability_password", **at)
    say("a password has 16 characters", len(password) == 16)
    await ask("delete_dect_network", **at)
    say("no method of the API was left out", dect.missing() == [])


async def refused_later(status, call):
    try:
        await call()
    except Exception as error:
        return getattr(error, "status", None) == status or refused_with(error) == status
    return False


def refused_with(error):
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None)


def at_once(api, location):
    """What the scripts of others do: fifty handsets of one network by ten threads."""
    dect = api.telephony.dect_devices
    network = dect.create_dect_network(location_id=location, name="At once", display_name="Once",
                                       model=DECTNetworkModel.dms_cisco_dbs210, default_access_code_enabled=True,
                                       default_access_code="8003")
    at = {"location_id": location, "dect_network_id": network}
    people = [member.member_id for member in dect.available_members(location_id=location)
              if member.member_type == "PEOPLE"][:50]

    def add(person):
        dect.add_a_handset(**at, line1_member_id=people[person], custom_display_name=f"Number {person}")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(add, range(50)))
    listed = dect.list_handsets(**at)
    check("fifty handsets by ten threads are all there, each once",
          {one.custom_display_name for one in listed.handsets} == {f"Number {person}" for person in range(50)}
          and listed.number_of_lines_assigned == 50)
    dect.delete_dect_network(**at)


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

    asyncio.run(every_operation("sync", Recorder(dect), location))

    async def with_the_asynchronous_client():
        async with AsWebexSimpleApi(tokens=token) as client:
            type(client.session).BASE = base
            client.session.BASE = base
            await every_operation("async", Recorder(client.telephony.dect_devices), location)

    asyncio.run(with_the_asynchronous_client())
    at_once(api, location)
    check("people, workspaces and virtual lines are listed", all([
        any(person.display_name for person in api.people.list()), list(api.workspaces.list()),
        all(line.location.id for line in api.telephony.virtual_lines.list())]))
    count = api.telephony.devices.get_count_of_available_members(location_id=location)
    check("available members are counted", count == len(list(dect.available_members(location_id=location))))

    stranger = WebexSimpleApi(tokens="another-token", retry_429=False)
    check("another token is refused with 401",
          refused(401, None, lambda: list(stranger.telephony.dect_devices.list_dect_networks())))
    print("ok")


main()
