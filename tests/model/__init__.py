"""An explicit-state model of the claim protocol of docs/how-it-works/reliability.md, and its proofs."""
