"""Reading words, beside scikit-image's label and regionprops and the network, a picture at a time."""

import numpy as np
from skimage.measure import label, regionprops
from skimage.transform import resize
from tasks.letters import shape_letters
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD, cut

from tasks import book, classifier
from tasks.reader import Reader
from tasks.recipes import make_recipe, renderer_of
from tasks.specs import BUILT_IN
from tasks.words import load_words
from tests.benchmarks.tables import SEED, Table, best


def reading(table: Table) -> None:
    """Both, in one process."""
    renderer = renderer_of(make_recipe(BUILT_IN["letters"], SEED))
    blocks = [renderer.block(SEED, number) for number in range(8)]
    images, texts = np.concatenate([one.images for one in blocks]), [text for one in blocks for text in one.texts()]
    segments = cut(images)
    one = (segments.counts == 1)[segments.picture]
    X = shape_letters(images, segments)[one].reshape(-1, 400)
    y = np.array([book.LETTERS.index(texts[k]) for k in segments.picture[one]])
    network = classifier.build(SEED)
    classifier.fit_stream(network, lambda: [(X, y)], 26, 20, SEED)
    record = {"classes": book.LETTERS, "features": 1, "threshold": THRESHOLD, "smallest": SMALLEST}
    record["connectivity"] = CONNECTIVITY
    words = load_words("web2", book.LETTERS, (4, 4))
    reader = Reader(network, record, words)
    block = renderer_of(make_recipe(BUILT_IN["book"], SEED)).block(SEED, 0)

    def one_at_a_time():
        for image in block.images[:200]:
            found = label(image > THRESHOLD * image.max(), connectivity=CONNECTIVITY)
            regions = sorted(regionprops(found, image), key=lambda region: region.bbox[1])
            letters = [resize(region.image_intensity / 255, (20, 20)) for region in regions]
            network.predict_proba(np.reshape(letters, (len(letters), -1)))

    reference = 200 / best(one_at_a_time)
    table.add("read: label, regionprops, predict_proba, one at a time", 200, reference)
    n = len(block.images)
    table.add("read: batched, with the dictionary of 5,006 words", n, n / best(lambda: reader.read(block.images)), 1,
              reference)  # fmt: skip
