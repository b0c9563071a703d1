-- Where things are and what holds: the township, its areas, landmarks, stations, households and policies.
-- Points are stored as WGS-84, whatever they came as, and say so; a boundary is GeoJSON, which is WGS-84 by definition.
-- A versioned row is never changed but for its `until_ms`: what an import changes is a new version of the same id.

CREATE TABLE townships (
    township_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    county TEXT NOT NULL,
    province TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE areas (
    township_id INTEGER NOT NULL,
    area_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    parent_id INTEGER,
    level TEXT NOT NULL CHECK (level IN ('town', 'village', 'hamlet')),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    boundary TEXT,
    lat REAL,
    lng REAL,
    datum TEXT,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, area_id, version),
    CHECK (lat IS NULL AND lng IS NULL AND datum IS NULL
        OR lat IS NOT NULL AND lng IS NOT NULL AND datum IS NOT NULL AND datum = 'WGS-84')
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX areas_code ON areas (township_id, code) WHERE until_ms IS NULL;

CREATE TABLE landmarks (
    township_id INTEGER NOT NULL,
    landmark_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    village_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    aliases TEXT NOT NULL,
    lat REAL NOT NULL,
    lng REAL NOT NULL,
    datum TEXT NOT NULL CHECK (datum = 'WGS-84'),
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, landmark_id, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX landmarks_name ON landmarks (township_id, village_id, name) WHERE until_ms IS NULL;

CREATE TABLE stations (
    township_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    village_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    phone TEXT NOT NULL,
    hours TEXT NOT NULL,
    lat REAL NOT NULL,
    lng REAL NOT NULL,
    datum TEXT NOT NULL CHECK (datum = 'WGS-84'),
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, station_id, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX stations_code ON stations (township_id, code) WHERE until_ms IS NULL;

CREATE TABLE households (
    township_id INTEGER NOT NULL,
    household_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    card_no TEXT NOT NULL,
    householder TEXT NOT NULL,
    village_id INTEGER NOT NULL,
    area_id INTEGER NOT NULL,
    phone TEXT NOT NULL,
    members TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'away', 'closed')),
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, household_id, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX households_card ON households (township_id, card_no) WHERE until_ms IS NULL;
CREATE INDEX households_area ON households (township_id, village_id, area_id) WHERE until_ms IS NULL;

-- Every name of a household's current version, for search. `name_key` is the name's UTF-8 in hexadecimal, so that
-- a prefix is one index range whatever the database's collation is.
CREATE TABLE household_names (
    township_id INTEGER NOT NULL,
    household_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    village_id INTEGER NOT NULL,
    area_id INTEGER NOT NULL,
    is_householder INTEGER NOT NULL,
    PRIMARY KEY (township_id, household_id, version, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX household_names_key ON household_names (township_id, name_key, household_id);
CREATE INDEX household_names_village ON household_names (township_id, village_id, name_key, household_id);

-- Which people belong to a household (the reward stays the household's). A person has one household at a time.
CREATE TABLE household_members (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    household_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    relation TEXT NOT NULL CHECK (relation IN ('householder', 'member', 'proxy')),
    linked_by INTEGER,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX household_members_person ON household_members (township_id, person_id)
    WHERE until_ms IS NULL AND relation <> 'proxy';
CREATE INDEX household_members_of_person ON household_members (township_id, person_id) WHERE until_ms IS NULL;
CREATE INDEX household_members_household ON household_members (township_id, household_id) WHERE until_ms IS NULL;

CREATE TABLE policies (
    township_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    effective_from_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    imported_ms INTEGER NOT NULL,
    imported_by INTEGER,
    PRIMARY KEY (township_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX policies_from ON policies (township_id, effective_from_ms, version);
