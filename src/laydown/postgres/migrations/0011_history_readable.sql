-- Who serves asks whether the schema is there, without owning it.
GRANT SELECT ON schema_migrations TO laydown_system;
