"""The shop's rules as plain functions and tables, free of Flask and of the database."""
