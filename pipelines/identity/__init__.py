"""Who is who: the match-rate gate, the spot check by hand, the rehearsal of a new identifier."""
