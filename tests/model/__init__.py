"""An explicit-state model of the claim protocol that docs/reliability describes, and its proofs."""
