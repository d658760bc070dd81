/* completion.c - sdxl-lab completion: the script that a shell sources. */
#include "cli/cli.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

/* shells/ */
extern const char xl_shell_bash[], xl_shell_zsh[], xl_shell_fish[];

/* A script, with the other names of the program in the place of @LINKS@. */
static void print_script(const char *script) {
    static const char LINKS[] = "@LINKS@";
    const struct xl_command *command;
    for (const char *at; (at = strstr(script, LINKS)); script = at + sizeof LINKS - 1) {
        const char *blank = "";
        printf("%.*s", (int)(at - script), script);
        for (int i = 0; (command = xl_command_at(i)); i++)
            if (command->link) printf("%s%s", blank, command->link), blank = " ";
    }
    fputs(script, stdout);
}

static enum xl_status completion(const struct xl_settings *settings, struct xl_err *err) {
    const struct {
        const char *name, *script;
    } shells[] = {{"bash", xl_shell_bash}, {"zsh", xl_shell_zsh}, {"fish", xl_shell_fish}};
    const char *wanted = settings->arguments[0];
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, wanted)) continue;
        print_script(shells[i].script);
        return XL_OK;
    }
    return xl_fail(err, XL_EINVAL, "completion: \"%.40s\" is not one of: bash, zsh, fish", wanted);
}

const struct xl_command xl_command_completion = {
    .name = "completion",
    .summary = "a script that completes this command's words in a shell",
    .usage = "",
    .positional = "bash|zsh|fish",
    .commands = XL_FOR_COMPLETION,
    .epilogue = "bash: source <(sdxl-lab completion bash), in ~/.bashrc.\n"
                "zsh: source <(sdxl-lab completion zsh), in ~/.zshrc after compinit.\n"
                "fish: sdxl-lab completion fish > ~/.config/fish/completions/sdxl-lab.fish\n"
                "make install puts them where shells find them.",
    .run = completion,
};
