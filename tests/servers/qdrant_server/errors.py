# SPDX-License-Identifier: Apache-2.0
"""Errors as Qdrant words them."""


class ApiError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def format_error(message):
    return ApiError(400, "Format error in JSON body: " + message)


def invalid(where, field, message):
    """A value of the right type that is out of bounds."""
    return ApiError(422, "Validation error in %s: [%s: %s]" % (where, field, message))


def wrong_input(message):
    return ApiError(400, "Wrong input: " + message)


def not_found(message):
    return ApiError(404, "Not found: " + message)


def no_collection(name):
    return not_found("Collection `%s` doesn't exist!" % name)


# What the engine says, by its beginning, and how a server passes it on.
ENGINE = [
    ("No point with id", 404, "Not found: "),
    ("Service runtime error: ", 500, "Service internal error: "),
    ("", 400, "Wrong input: "),
]


def from_engine(error):
    message = str(error)
    for beginning, status, kind in ENGINE:
        if message.startswith(beginning):
            if status == 404:
                message += " found"
            elif status == 500:
                message = message[len(beginning) :]
            return ApiError(status, kind + message)
    raise AssertionError
