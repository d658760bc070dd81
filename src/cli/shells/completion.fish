# Completion of sdxl-lab in fish. What fits is the program's own knowledge; here is only how fish asks.
function __sdxl_lab_ask
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # The word at the cursor still has its quotes.
    set typed (string replace -r '^(--[^=]*=)?["\']' '$1' -- "$typed" | string replace -ra '\\\\(.)' '$1')
    $words[1] complete words -- $words[2..] "$typed" 2>/dev/null
end
function __sdxl_lab_words
    __sdxl_lab_ask | string match -v -r '^\t'
end
function __sdxl_lab_wants_files
    __sdxl_lab_ask | string match -q -r '^\tfiles$'
end
function __sdxl_lab_dirs
    if __sdxl_lab_ask | string match -q -r '^\tdirs$'
        __fish_complete_directories (commandline -ct)
    end
end
complete -c sdxl-lab -f
complete -c sdxl-lab -k -a '(__sdxl_lab_words)'
complete -c sdxl-lab -a '(__sdxl_lab_dirs)'
complete -c sdxl-lab -n __sdxl_lab_wants_files -F
