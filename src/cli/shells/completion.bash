# Completion of sdxl-lab in bash. What fits is the program's own knowledge; here is only how bash asks.
_sdxl_lab() {
    local line program=$1
    [[ $program == "~/"* ]] && program=$HOME/${program:2}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            $'\tfiles') compopt -o default ;;
            $'\tdirs') compopt -o dirnames ;;
            $'\topen') compopt -o nospace ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <("$program" complete line -- "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _sdxl_lab sdxl-lab @LINKS@
