// Nothing: the target that owns the precompiled header wants a source file.
