"""The place where one talks: sidebar, transcript, composer, model chooser."""
