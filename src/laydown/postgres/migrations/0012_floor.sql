-- While a release rolls out, programs of two releases run on one schema: they must know whether the
-- newer one still serves them. A migration that only adds says nothing. One that takes something
-- away says here which migration a program must know at least, in the same transaction:
--     UPDATE schema_floor SET least = 21;
CREATE TABLE schema_floor (
    least   integer NOT NULL,
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
);
INSERT INTO schema_floor (least) VALUES (0);

-- Who serves asks, without owning it.
GRANT SELECT ON schema_floor TO laydown_system;
