/**
 * The tables of this library that no rebuild can bring back, as steps for `migrate` in the schema `desk`. A read mark
 * tells how far a person has read a room; `read_schemas` tells which schemas hold read models and which of them is live.
 * `switched_at`: when the schema came to its present state.
 */
export const deskSchema: readonly string[] = [
  `CREATE TABLE desk.read_marks (
     user_id text COLLATE "C",
     room_id text COLLATE "C",
     revision bigint NOT NULL,
     PRIMARY KEY (user_id, room_id)
   ) WITH (fillfactor = 70);
   CREATE TABLE desk.read_schemas (
     n integer PRIMARY KEY,
     version text NOT NULL,
     state text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
     created_at timestamptz NOT NULL DEFAULT now(),
     switched_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE UNIQUE INDEX ON desk.read_schemas (state) WHERE state = 'live';`,
];
