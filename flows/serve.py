"""Choose the model that `captchas solve` reads with unless another is named, or tell which one it is."""

from flows.home import home, model_file
from flows.model_pairs import own_models
from flows.parameters import Name
from flows.reporting.plain_reports import ServeReport
from flows.requests import refusing
from flows.solve_request import served_model
from storage.errors import BadInput
from storage.served_model import ServedBy, serve_model, serve_shipped, without_suffix
from tasks.readers import known_letters, require_confidence


def serve(model: Name | None = None, *, shipped: bool = False) -> ServeReport:
    """Choose the model that solve reads with unless --model names another; without a model, tell which one it is.

    Parameters
    ----------
    model
        A model's name under the home, its file, or its URL in an object store. A name stands for the models of both
        kinds that have it, if they learnt from the same datasets: what reads best is taken.
    shipped
        Read with the model that comes with the package again.
    """
    if model is not None and shipped:
        raise BadInput("shipped: chooses the model that comes with the package; leave out the model or --shipped")
    models = home() / "models"
    with refusing():
        if model is not None:
            file = model_file(model)
            known_letters(file)
            require_confidence(file)
            serve_model(models, file, ServedBy.CHOICE, any_kind=without_suffix(model) == model)
        elif shipped:
            serve_shipped(models)
        chosen = served_model()
    told = chosen.why if chosen.classic is None and chosen.pair is None else chosen.told
    return {"served": str(chosen.model), "why": told, "models_of_this_home": own_models()}
