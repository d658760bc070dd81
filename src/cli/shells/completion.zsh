#compdef sdxl-lab @LINKS@
# Completion of sdxl-lab in zsh. What fits is the program's own knowledge; here is only how zsh asks.
_sdxl_lab() {
    local line value about typed=$PREFIX program=${(Q)words[1]}
    local -a before values shown blank
    (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
    [[ -n $compstate[quote] ]] || typed=${(Q)PREFIX}
    [[ $program == '~/'* ]] && program=$HOME/${program#??}
    local files= dirs=
    for line in "${(@f)$($program complete words -- "$program" "${before[@]}" "$typed" 2>/dev/null)}"; do
        value=${line%%$'\t'*} about=${line#*$'\t'}
        if [[ -n $value ]]; then
            values+=("$value")
            line=${(r:24:)value}
            [[ ${#value} -gt 24 ]] && line=$value
            [[ -n $about ]] && line+="  -- $about"
            shown+=("${line[1,COLUMNS-2]}")
        else
            case $about in
                files) files=yes ;;
                dirs) dirs=yes ;;
                open) blank=(-S '') ;;
            esac
        fi
    done
    if [[ $typed == --*=* ]]; then # only the value is completed
        compset -P 1 '*='
        values=("${(@)values#*=}")
    fi
    (( $#values )) && compadd -l -V words "${(@)blank}" -d shown -a values
    [[ -n $files ]] && _files
    [[ -n $dirs ]] && _files -/
    return 0
}
# Found in $fpath it is the function itself; sourced, it has to be registered.
if [[ $funcstack[1] == _sdxl-lab ]]; then
    _sdxl_lab "$@"
else
    compdef _sdxl_lab sdxl-lab @LINKS@
fi
