"""Models on the way: packs on a stick, folders and web servers of an organisation.

All of them carry one index, `index.json`: which models, which files with size and SHA-256, licence,
origin, settings. It comes in three shapes:

One file (``NAME.hgpack``) is a plain tar archive, not compressed, that every system can open:

    index.json             what is inside, first of all
    index.json.minisig     where it was signed: a minisign signature of index.json
    <path of each file>    in the order of the index, as they are

A split pack (``NAME.hgpack.001``, ``.002``...) is that same archive cut into pieces of one size
(the last may be shorter), for drives that take no file above 4 GiB; put behind one another they
are the archive again. A folder holds ``index.json``, its signature and the files under their paths;
where the index says ``piece_bytes``, a larger file is cut in the same way (``PATH.001``...). On a
web server or a share such a folder is an organisation's own source of models.

    {"format": "hausgeist-models", "version": 1, "title": "...", "made_at": "2026-01-31T12:00:00Z",
     "piece_bytes": 0,
     "models": [{"name": "...", "architecture": "...", "quantization": "...", "parameters": 0,
                 "context_tokens": 0, "licence": "apache-2.0", "languages": ["de"], "task": "chat",
                 "about": "...", "content": "...", "origin": {...}, "settings": {...},
                 "files": [{"path": "Folder/Name.gguf", "size_bytes": 1, "sha256": "...",
                            "role": "model"}]}]}

Keys that a reader does not know are passed over; a higher version is refused. A signature covers
the index, and the index covers every byte of the files.
"""
