# cache.sh - repositories of a Hugging Face cache, made of folders; to be sourced. Blobs are called by
# their digests as the hub does: SHA-256 of large files (weights), git's SHA-1 of the others.
blob_name() { # FILE
    case $1 in
    *.safetensors | *.bin | *.ckpt | *.gguf) sha256sum <"$1" | cut -d' ' -f1 ;;
    *) { printf 'blob %d\0' "$(stat -Lc %s "$1")" && cat "$1"; } | sha1sum | cut -d' ' -f1 ;;
    esac
}
commit=0123456789012345678901234567890123456789
cache_dir() { # HUB ID: the folder of the repository
    echo "$1/models--${2%%/*}--${2#*/}"
}
# cache_repository HUB ID FOLDER: the files of FOLDER as the only snapshot of ID; they are moved.
cache_repository() {
    local repository snapshot file name up
    repository=$(cache_dir "$1" "$2")
    snapshot=$repository/snapshots/$commit
    mkdir -p "$repository/blobs" "$repository/refs" "$snapshot"
    printf %s $commit >"$repository/refs/main"
    (cd "$3" && find . -type f | sed 's|^\./||') | while read -r file; do
        name=$(blob_name "$3/$file")
        mkdir -p "$(dirname "$snapshot/$file")"
        up=$(dirname "$file" | sed 's|^\.$||; s|[^/][^/]*|..|g')
        mv "$3/$file" "$repository/blobs/$name"
        ln -s "../../${up:+$up/}blobs/$name" "$snapshot/$file"
    done
    rm -rf "$3"
}
