"""The shop's rules as plain functions and tables, without Flask and the database."""
