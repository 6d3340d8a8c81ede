"""Section "Draws" of docs/arithmetic.md."""
import numpy as np

PREPARE, ORDER, WEIGHTS, DROPOUT, CROP, AFFINE, ELASTIC, ERASE = range(1, 9)


def philox(block, row, epoch, purpose, layer, seed):
    """Draws: Philox4x32-10, four words per block."""
    low, shift = np.uint64(0xffffffff), np.uint64(32)
    words = [np.asarray(word, np.uint64)
             for word in np.broadcast_arrays(block, row, epoch, purpose << 16 | layer)]
    key = [seed & 0xffffffff, seed >> 32]
    for _ in range(10):
        p, q = words[0] * np.uint64(0xd2511f53), words[2] * np.uint64(0xcd9e8d57)
        words = [(q >> shift) ^ words[1] ^ np.uint64(key[0]), q & low,
                 (p >> shift) ^ words[3] ^ np.uint64(key[1]), p & low]
        key = [(key[0] + 0x9e3779b9) & 0xffffffff, (key[1] + 0xbb67ae85) & 0xffffffff]
    return np.stack(words, -1)


def sixteen_bits(seed, purpose, rows, epoch, layer, count):
    """Dropout: [row][count] numbers of 16 bits, eight per block, low half of a word first."""
    blocks = np.arange((count + 7) // 8)[None, :]
    words = philox(blocks, np.asarray(rows)[:, None], epoch, purpose, layer, seed)
    halves = np.stack([words & np.uint64(0xffff), words >> np.uint64(16)], -1)
    return halves.reshape(len(rows), -1)[:, :count].astype(np.int64)


class Stream:
    """Draws: the words of consecutive blocks, one after the other."""

    def __init__(self, seed, purpose, row=0, epoch=0):
        self.key = (row, epoch, purpose, 0, seed)
        self.words, self.used = [], 0

    def word(self):
        """The next word."""
        if self.used == len(self.words):
            blocks = self.used // 4 + np.arange(64)
            self.words += philox(blocks, *self.key).reshape(-1).tolist()
        self.used += 1
        return self.words[self.used - 1]

    def uniform(self, low=0.0, high=1.0):
        """Draws: uniform(low, high) in double."""
        return low + (high - low) * ((self.word() >> 8) * 2.0**-24)

    def below(self, n):
        """Draws: below(n)."""
        return self.word() * n >> 32

    def shuffle(self, values):
        """Draws, "Order": a shuffle in place."""
        for n in range(len(values), 1, -1):
            other = self.below(n)
            values[n - 1], values[other] = values[other], values[n - 1]
        return values
