-- min_reader_version: 2
-- The audit log becomes a tree for each organisation.

-- What entries are found by, as in the entry itself; NULL in leaves from before. Names compare by
-- their bytes: a resource and all below it are one range.
ALTER TABLE audit_leaf ADD COLUMN kind BIGINT;
ALTER TABLE audit_leaf ADD COLUMN principal TEXT COLLATE "C";
ALTER TABLE audit_leaf ADD COLUMN resource TEXT COLLATE "C";
ALTER TABLE audit_leaf ADD COLUMN version BIGINT;
CREATE INDEX audit_leaf_by_resource ON audit_leaf (organization_id, resource, version);
CREATE INDEX audit_leaf_by_principal ON audit_leaf (organization_id, principal, leaf_index);
-- Queries repeat the predicate.
CREATE INDEX audit_leaf_erasure ON audit_leaf (organization_id, leaf_index) WHERE kind = 4;
CREATE INDEX audit_pending_by_organization ON audit_pending (organization_id, id);

-- Each tree's size, root and frontier: the roots of its full subtrees from the largest to the
-- smallest, 32 bytes each. Moved by the sequencer alone.
CREATE TABLE audit_tree (
  organization_id TEXT PRIMARY KEY,
  tree_size BIGINT NOT NULL,
  root_hash BYTEA NOT NULL,
  frontier BYTEA NOT NULL
);
SELECT rapport_protect('audit_tree', 'SELECT');
SELECT rapport_open_to_feed('audit_tree', 'SELECT, INSERT, UPDATE');

-- Roots of full subtrees of 16^level leaves, level 1 and up; those between are made from these.
CREATE TABLE audit_node (
  organization_id TEXT NOT NULL,
  level BIGINT NOT NULL,
  node_index BIGINT NOT NULL,
  node_hash BYTEA NOT NULL,
  PRIMARY KEY (organization_id, level, node_index)
);
SELECT rapport_protect('audit_node', 'SELECT');
SELECT rapport_open_to_feed('audit_node', 'SELECT, INSERT');

-- Signed heads that are also anchored outside of this database.
CREATE TABLE audit_head (
  organization_id TEXT NOT NULL,
  tree_size BIGINT NOT NULL,
  root_hash BYTEA NOT NULL,
  sign_time BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (organization_id, tree_size)
);
SELECT rapport_protect('audit_head', 'SELECT');
SELECT rapport_open_to_feed('audit_head', 'SELECT, INSERT');
