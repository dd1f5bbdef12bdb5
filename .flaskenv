# Which application the `flask` command serves.
FLASK_APP=flask_app
