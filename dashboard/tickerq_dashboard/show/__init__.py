"""How values look: words, moments, marks and charts. Pure: neither Flask nor the store is known here."""
