"""The shop's papers as PDF: estimate, work order, invoice. One layout and common sections; a module a document."""
