from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.table_rows import cells_of, line_of

CELLS = st.lists(
    st.text(st.sampled_from("ab|\\ "), max_size=6).map(lambda text: " ".join(text.split())), min_size=1, max_size=5
)


@given(CELLS)
def test_a_line_gives_its_cells_again(cells):
    assert cells_of(line_of(cells)) == cells


@given(CELLS)
def test_a_line_that_lost_the_blanks_at_its_ends_still_does(cells):
    assert cells_of(line_of(cells).strip()) == cells


def test_only_bars_that_could_part_cells_are_marked():
    assert line_of(["a | b", "int|str", "|", r"\|"]) == r"a \| b | int|str | \| | \\|"
