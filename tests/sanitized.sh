# sanitized.sh - for tests of the command, as sourced text: is_sanitized says whether $bin was built with
# a sanitizer. Then it can neither be traced (leaks are looked for by tracing it) nor run beside a
# preload library of ours (both have an allocator).
is_sanitized() { ldd "$bin" | grep -qE 'lib(asan|tsan|ubsan)|libclang_rt'; }

# lasting N: as many pictures as take a program with a sanitizer about as long as N take one without, for runs
# to which something happens meanwhile.
lasting() {
    case $(ldd "$bin") in
    *libtsan*) echo $(($1 / 4)) ;;
    *libasan*) echo $(($1 / 2)) ;;
    *) echo "$1" ;;
    esac
}
