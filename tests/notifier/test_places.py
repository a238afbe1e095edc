from ttgateway.notifier.places import Places


def test_places_are_given_out_until_there_are_none_and_then_in_turn() -> None:
    places, granted = Places(2), list[str]()
    for who in "abcd":
        places.ask(who, lambda who=who: granted.append(who))  # type: ignore[misc]
    assert granted == ["a", "b"]
    places.release()
    assert granted == ["a", "b", "c"]
    places.release()
    places.release()
    places.ask("e", lambda: granted.append("e"))
    assert granted == ["a", "b", "c", "d", "e"]


def test_who_leaves_the_line_is_passed_over() -> None:
    places, granted = Places(1), list[str]()
    for who in "abc":
        places.ask(who, lambda who=who: granted.append(who))  # type: ignore[misc]
    assert places.leave("b")
    assert not places.leave("b")
    assert not places.leave("a")
    places.release()
    assert granted == ["a", "c"]


def test_once_closed_none_is_given_to_who_stands_in_line_or_asks() -> None:
    places, granted = Places(1), list[str]()
    places.ask("a", lambda: granted.append("a"))
    places.ask("b", lambda: granted.append("b"))
    places.close()
    places.release()
    places.ask("c", lambda: granted.append("c"))
    places.release()
    assert granted == ["a"]
