"""What befalls a gateway in one run, and how often. Each seed has its own mix: some have no crash, some little else."""

from dataclasses import dataclass
from random import Random

LENGTHS = (120.0, 300.0, 900.0, 3_600.0, 14_400.0)


@dataclass(frozen=True)
class Profile:
    """The mix of one seed. Numbers are of events in the whole run; ``seconds`` is how long that is."""

    seconds: float
    tills: int
    devices: int
    bursts: int
    sweeps: float
    kills: int
    cuts: int
    torn: int
    stops: int
    moods: int
    outages: int
    moves: int
    names: int
    disks: int
    stalls: float
    clocks: int
    errands: int
    screens: int
    keeps: int


def drawn(random: Random) -> Profile:
    """Return a profile: each kind of misfortune is there in about half of the seeds, and then heavy or light."""

    def some(most: int, likely: float = 0.5) -> int:
        if random.random() >= likely:
            return 0
        return random.randint(1, random.choice((max(1, most // 3), most)))

    return Profile(
        seconds=random.choice(LENGTHS),
        tills=random.randint(1, 3),
        devices=random.randint(1, 5),
        bursts=random.randint(6, 30),
        sweeps=random.choice((0.0, 0.0, 0.05)),
        kills=some(4),
        cuts=some(4),
        torn=some(4),
        stops=some(2, 0.4),
        moods=some(16, 0.7),
        outages=some(6),
        moves=some(5, 0.4),
        names=some(6, 0.4),
        disks=some(4, 0.3),
        stalls=random.choice((0.0, 0.0, 0.05, 0.3)),
        clocks=some(4, 0.4),
        errands=some(10, 0.7),
        screens=some(8, 0.5),
        keeps=random.choice((0, 0, 0, 30)),
    )
