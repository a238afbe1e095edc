from ttgateway.figures import MOST_CAUSES, OTHER, CommitFigures, DeliveryFigures, Histogram


def test_a_histogram_counts_a_value_at_the_first_bound_that_is_not_below_it() -> None:
    histogram = Histogram((1, 10))
    for value in (0.5, 1, 1.5, 10, 11, 1000):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 2]
    assert histogram.count == 6
    assert histogram.total == 1024.0


def test_the_bounds_of_all_figures_rise() -> None:
    for histogram in (DeliveryFigures().waits, CommitFigures().sizes, CommitFigures().seconds):
        assert list(histogram.bounds) == sorted(set(histogram.bounds))
        assert len(histogram.counts) == len(histogram.bounds) + 1


def test_attempts_are_counted_by_kind_and_cause() -> None:
    figures = DeliveryFigures()
    for kind, cause in (("delivered", "200"), ("delivered", "200"), ("down", "timeout"), ("gone", "410")):
        figures.attempt(kind, cause)
    assert figures.outcomes == {("delivered", "200"): 2, ("down", "timeout"): 1, ("gone", "410"): 1}


def test_an_unusual_status_is_counted_with_its_class() -> None:
    figures = DeliveryFigures()
    for cause in ("418", "451", "404"):
        figures.attempt("refused", cause)
    figures.attempt("down", "599")
    figures.attempt("delivered", "299")
    assert figures.outcomes == {
        ("refused", "4xx"): 2,
        ("refused", "404"): 1,
        ("down", "5xx"): 1,
        ("delivered", "2xx"): 1,
    }


def test_no_listener_can_make_the_table_of_causes_grow_for_ever() -> None:
    figures = DeliveryFigures()
    for status in range(1000):
        figures.attempt("refused", str(status))
    for number in range(10 * MOST_CAUSES):
        figures.attempt("down", f"word{number}")
        figures.attempt("down", "word0")
    assert len(figures.outcomes) <= MOST_CAUSES + 4
    assert figures.outcomes["down", "word0"] == 10 * MOST_CAUSES + 1
    assert figures.outcomes["down", OTHER] > 0
    assert sum(figures.outcomes.values()) == 1000 + 20 * MOST_CAUSES


def test_a_delivery_is_counted_by_how_long_it_took() -> None:
    figures = DeliveryFigures()
    figures.waits.observe(0.004)
    figures.waits.observe(7200.0)
    assert figures.waits.counts[figures.waits.bounds.index(0.005)] == 1
    assert figures.waits.counts[-1] == 1
