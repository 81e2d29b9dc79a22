"""AWS on loopback: moto behind a front end that checks credentials and adds what the product needs and moto lacks."""
