# Completion of sdxl-lab in fish. What fits is the program's own knowledge; here is only how fish asks.
function __sdxl_lab_ask
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # The word at the cursor still has its quotes.
    set typed (string replace -r '^(--[^=]*=)?["\']' '$1' -- "$typed" | string replace -ra '\\\\(.)' '$1')
    $words[1] complete words -- $words "$typed" 2>/dev/null
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
for program in sdxl-lab @LINKS@
    complete -c $program -f
    complete -c $program -k -a '(__sdxl_lab_words)'
    complete -c $program -a '(__sdxl_lab_dirs)'
    complete -c $program -n __sdxl_lab_wants_files -F
end
