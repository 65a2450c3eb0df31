"""What clients write to us: the models of every request, with English attributes and Turkish names on the wire.

Laws
1. The accepted body and the documented one are the same model: there is no second list of names or limits.
2. Keys that no model names are ignored and bound to nothing: old clients send extra fields.
3. A model checks the shape. What a value means (is the number real, is the file there) the gateway decides.
4. An optional key may be null; an optional text may be empty, which means the same: PHP clients send both.
"""
