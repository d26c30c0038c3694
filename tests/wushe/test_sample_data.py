"""The sample town on paper: real places, invented people, and enough of everything."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

from shared.contracts.vocabulary import Certificate, Language, LotKind, OrganisationKind, Role, SiteKind
from shared.places import divisions
from wushe.sample.city import Crowd, cities
from wushe.sample.gifts import GIFTS, lot_body
from wushe.sample.households import HOUSEHOLDS
from wushe.sample.needs import NEEDS
from wushe.sample.places import COUNTY, PARTNERS, SITES, TOWNSHIPS, VILLAGES
from wushe.sample.staff import STAFF, VOLUNTEER_LOGINS
from wushe.sample.volunteers import NAMES, volunteers

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


def test_the_townships_are_the_eight_real_ones() -> None:
    real = {(area.code, area.name) for area in divisions().children(COUNTY)}
    assert {(t.code, t.name) for t in TOWNSHIPS} == real
    assert len(real) == 8


def test_it_is_one_main_station_eight_stations_and_partners_of_all_five_kinds() -> None:
    kinds = Counter(site.kind for site in SITES)
    assert (kinds[SiteKind.MAIN_STATION], kinds[SiteKind.STATION]) == (1, 8)
    assert {partner.kind for partner in PARTNERS} == set(OrganisationKind)


def test_twelve_people_work_there_in_every_role() -> None:
    assert len(STAFF) == 12
    assert {role for row in STAFF for role in row.roles} == set(Role) - {Role.VOLUNTEER}
    assert len(VOLUNTEER_LOGINS) <= len(NAMES)


def test_sixty_volunteers_are_the_same_every_time() -> None:
    assert volunteers(TODAY) == volunteers(TODAY)
    assert len(volunteers(TODAY)) == len(set(NAMES)) == 60


def test_the_volunteers_are_varied() -> None:
    people = [row.body for row in volunteers(TODAY)]
    spoken = {language for body in people for language in body["languages"]}
    held = {c["certificate"] for body in people for c in body["certificates"]}
    assert {Language.MIAO, Language.BOUYEI, Language.DIALECT} <= spoken
    assert {Certificate.CHILD_DIRECTOR, Certificate.SOCIAL_WORKER} <= held
    assert len({body["area"] for body in people}) == len(VILLAGES)


def test_no_phone_could_be_somebodys() -> None:
    numbers = [row.body["phone"] for row in volunteers(TODAY)]
    numbers += [row.body(n, TODAY)["phone"] for n, row in enumerate(HOUSEHOLDS)]
    assert all(number.startswith("1000000") and len(number) == 11 for number in numbers)
    assert len(numbers) == len(set(numbers))


def test_there_are_forty_lots_of_three_charities() -> None:
    assert len(GIFTS) == 40
    assert len({gift.charity for gift in GIFTS}) == 3
    assert {gift.kind for gift in GIFTS} == set(LotKind)
    assert any(gift.groups or gift.purposes or gift.areas for gift in GIFTS)
    near = [g for g in GIFTS if g.days is not None and g.days <= 30]
    assert near
    assert lot_body(0, near[0], TODAY)["expires_on"] > TODAY.isoformat()


def test_thirty_households_have_names_of_every_sort() -> None:
    names = [person.name for row in HOUSEHOLDS for person in row.people]
    assert len(HOUSEHOLDS) == 30
    assert any("·" in name for name in names)
    assert any(ord(letter) > 0xFFFF for name in names for letter in name)


def test_every_need_is_of_a_household_that_is_there() -> None:
    by_key = {row.key: row for row in HOUSEHOLDS}
    for need in NEEDS:
        assert need.person < len(by_key[need.household].people)
        for line in need.lines:
            assert line.body(NOW)["kind"] in ("people", "goods")


def test_the_large_city_is_the_same_for_the_same_seed_and_follows_zipf() -> None:
    sites = {city.area.code: city.area.code for city in cities(7)}
    one, two = (list(Crowd(7, sites, NOW).people(500)) for _ in range(2))
    assert one == two
    weights = [city.weight for city in cities(7)]
    assert len(weights) == 80
    assert weights == sorted(weights, reverse=True)


def test_a_row_of_the_crowd_does_not_depend_on_how_much_else_is_made() -> None:
    sites = {city.area.code: "site" for city in cities(7)}
    small, large = Crowd(7, sites, NOW), Crowd(7, sites, NOW)
    assert list(small.people(5)) == list(large.people(50))[:5]
    assert list(small.lots(2, ["charity"])) == list(large.lots(20, ["charity"]))[:2]
    assert small.household(0, cities(7)[0]) == large.household(0, cities(7)[0])
    assert list(small.needs(1, ["home"])) == list(large.needs(9, ["home"]))[:1]
