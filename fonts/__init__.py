"""Font files under free licences, each folder with the copyright file of the package it came from."""
