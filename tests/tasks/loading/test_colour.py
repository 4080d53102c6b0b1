"""Colours become levels of grey in which the letters stand out."""

import numpy as np

from tasks.loading.colours.brightness import filled, grey_of


def painted(paper, ink, size=(20, 60)):
    image = np.empty((*size, len(paper)), np.uint8)
    image[:] = paper
    image[5:15, 20:40] = ink
    return image


def contrast(grey):
    return abs(int(grey[10, 30]) - int(grey[0, 0]))


def test_colours_of_one_brightness_are_told_apart():
    assert contrast(grey_of(painted((200, 0, 0), (0, 90, 0)))) >= 100


def test_colours_that_brightness_tells_apart_keep_their_brightness():
    grey = grey_of(painted((250, 240, 250), (20, 20, 60)))
    assert abs(int(grey[0, 0]) - 244) <= 1 and abs(int(grey[10, 30]) - 25) <= 1


def test_the_margins_of_a_card_become_its_ground():
    """Its opaque part has dark and light: black letters on white."""
    image = np.zeros((40, 100, 4), np.uint8)
    image[5:35, 10:90] = (255, 255, 255, 255)
    image[12:28, 30:60] = (0, 0, 0, 255)
    assert (filled(image)[0, 0] == 255).all()
    assert (filled(image)[20, 40] == 0).all()


def test_letters_alone_get_a_ground_unlike_them():
    for tone, ground in ((0, 255), (255, 0)):
        image = painted((0, 0, 0, 0), (tone, tone, tone, 255))
        assert (filled(image)[0, 0] == ground).all()
