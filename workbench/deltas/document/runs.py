"""A text as runs of one owner each: an edit costs what the runs it passes cost, not what the text does. Pure."""

from collections.abc import Iterable

from workbench.replay.folding.texts import split_units

# Whose it is, and its UTF-16 units.
Piece = tuple[int, str]


class Runs:
    """Runs of UTF-16 units, no two neighbours of one owner. Where the last edit was is kept: the next is near it."""

    def __init__(self, content: str, owner: int) -> None:
        units = split_units(content)
        self.texts: list[str] = [units] if units else []
        self.owners: list[int] = [owner] if units else []
        self.length = len(units)
        # A run, and where it begins.
        self._index = self._start = 0

    def insert(self, at: int, units: str, owner: int) -> int | None:
        """Put units in before those at ``at``; return whose run they went inside of, None between two runs."""
        index = self._seek(at)
        self.length += len(units)
        if index == len(self.texts):
            self._splice(index, index, [(owner, units)])
            return None
        run, beside, cut = self.texts[index], self.owners[index], at - self._start
        if beside == owner:
            self.texts[index] = run[:cut] + units + run[cut:]
            return None
        self._splice(index, index + 1, [(beside, run[:cut]), (owner, units), (beside, run[cut:])])
        return beside if 0 < cut < len(run) else None

    def delete(self, at: int, count: int) -> list[Piece]:
        """Take units out; return them."""
        low = self._seek(at)
        self.length -= count
        run, owner, cut = self.texts[low], self.owners[low], at - self._start
        if cut + count < len(run):
            self.texts[low] = run[:cut] + run[cut + count :]
            return [(owner, run[cut : cut + count])]
        removed, high, kept = [(owner, run[cut:])], low + 1, ""
        count -= len(run) - cut
        while count > 0:
            run = self.texts[high]
            removed.append((self.owners[high], run[:count]))
            kept = run[count:]
            count -= len(run)
            high += 1
        self._splice(low, high, [(owner, self.texts[low][:cut]), (self.owners[high - 1], kept)])
        return [piece for piece in removed if piece[1]]

    def find(self, owner: int) -> tuple[int, int] | None:
        """Return the first run of an owner and the one behind its last, None where nothing of it stands."""
        if owner not in self.owners:
            return None
        return self.owners.index(owner), len(self.owners) - self.owners[::-1].index(owner)

    def reach(self, owner: int) -> tuple[int, int] | None:
        """Return where an owner's first unit stands and where its last one ends; None where nothing of it stands."""
        found = self.find(owner)
        if found is None:
            return None
        start = sum(map(len, self.texts[: found[0]]))
        return start, start + sum(map(len, self.texts[slice(*found)]))

    def stretch(self, owner: int) -> str:
        """Return the units from an owner's first to its last, whoever's are between; empty where nothing of it stands.

        >>> runs = Runs("a loan", owner=1)
        >>> runs.insert(2, "large ", owner=2), runs.delete(0, 1), runs.stretch(1), runs.stretch(2)
        (1, [(1, 'a')], ' large loan', 'large ')
        """
        found = self.find(owner)
        return "" if found is None else "".join(self.texts[slice(*found)])

    def _seek(self, at: int) -> int:
        """Return the first run that ends at a place or behind it, and note where it begins."""
        index, start, texts = self._index, self._start, self.texts
        while index and start >= at:
            index -= 1
            start -= len(texts[index])
        while index < len(texts) and start + len(texts[index]) < at:
            start += len(texts[index])
            index += 1
        self._index, self._start = index, start
        return index

    def _splice(self, low: int, high: int, pieces: Iterable[Piece]) -> None:
        """Put pieces in the place of runs that begin at the noted start, and join them with those beside."""
        if low:
            low -= 1
            self._start -= len(self.texts[low])
            pieces = [(self.owners[low], self.texts[low]), *pieces]
        if high < len(self.texts):
            pieces = [*pieces, (self.owners[high], self.texts[high])]
            high += 1
        owners: list[int] = []
        texts: list[str] = []
        for owner, units in pieces:
            if owners and owners[-1] == owner:
                texts[-1] += units
            elif units:
                owners.append(owner)
                texts.append(units)
        self.owners[low:high], self.texts[low:high] = owners, texts
        self._index = low
