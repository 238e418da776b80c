-- min_reader_version: 2
-- The audit log becomes a tree for each organisation.

-- What entries are found by, as in the entry itself; NULL in leaves from before.
ALTER TABLE audit_leaf ADD COLUMN kind INTEGER;
ALTER TABLE audit_leaf ADD COLUMN principal TEXT;
ALTER TABLE audit_leaf ADD COLUMN resource TEXT;
ALTER TABLE audit_leaf ADD COLUMN version INTEGER;
CREATE INDEX audit_leaf_by_resource ON audit_leaf (organization_id, resource, version);
CREATE INDEX audit_leaf_by_principal ON audit_leaf (organization_id, principal, leaf_index);
-- Queries repeat the predicate.
CREATE INDEX audit_leaf_erasure ON audit_leaf (organization_id, leaf_index) WHERE kind = 4;
CREATE INDEX audit_pending_by_organization ON audit_pending (organization_id, id);

-- Each tree's size, root and frontier: the roots of its full subtrees from the largest to the
-- smallest, 32 bytes each. Moved by the sequencer alone.
CREATE TABLE audit_tree (
  organization_id TEXT PRIMARY KEY,
  tree_size INTEGER NOT NULL,
  root_hash BLOB NOT NULL,
  frontier BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Roots of full subtrees of 16^level leaves, level 1 and up; those between are made from these.
CREATE TABLE audit_node (
  organization_id TEXT NOT NULL,
  level INTEGER NOT NULL,
  node_index INTEGER NOT NULL,
  node_hash BLOB NOT NULL,
  PRIMARY KEY (organization_id, level, node_index)
) STRICT, WITHOUT ROWID;

-- Signed heads that are also anchored outside of this database.
CREATE TABLE audit_head (
  organization_id TEXT NOT NULL,
  tree_size INTEGER NOT NULL,
  root_hash BLOB NOT NULL,
  sign_time INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (organization_id, tree_size)
) STRICT, WITHOUT ROWID;
