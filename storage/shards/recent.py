"""The few blocks that `data[i]` read last, kept unpacked so that a neighbour costs little."""

from storage.shards.shard import Block

RECENT = 4  # the most blocks that are kept …
RECENT_BYTES = 64 << 20  # … and the most bytes that they may have together; at least one block is kept


class RecentBlocks:
    """Blocks by number, the last used first."""

    def __init__(self) -> None:
        self._entries: tuple[tuple[int, Block], ...] = ()  # replaced as a whole, so that threads may share it

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, number: int) -> Block | None:
        """Return a block if it is kept, and put it first."""
        entries = self._entries
        for age, (known, block) in enumerate(entries):
            if known == number:
                if age:
                    self._entries = (entries[age], *entries[:age], *entries[age + 1 :])
                return block
        return None

    def keep(self, number: int, block: Block) -> None:
        """Keep a block, and drop the oldest blocks that no longer fit."""
        kept, room = [(number, block)], RECENT_BYTES - _bytes(block)
        for entry in self._entries[: RECENT - 1]:
            room -= _bytes(entry[1])
            if room >= 0:
                kept.append(entry)
        self._entries = tuple(kept)


def _bytes(block: Block) -> int:
    return sum(array.nbytes for array in block)
