# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# pushletctl.bash - completion of pushletctl for bash: commands, options, and
# what the segment has at the moment: handles and subjects

_pushletctl_commands='status sessions show subjects top watch check repair kick
	drain metrics doctor destroy'
_pushletctl_options='-c --config --force -h --help --json -n --name --seconds
	--subject -V --version'

# The first column of handles, or the second of subjects, of the segment that
# the command line names.
_pushletctl_ask() {
	local i where=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --name | -c | --config)
			where+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			;;
		esac
	done
	pushletctl "${where[@]}" "$1" 2>/dev/null | awk -v field="$2" \
		'NR > 1 { print $field }'
}

# The command that is there already, if any.
_pushletctl_command() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --name | -c | --config | --seconds | --subject)
			i=$((i + 1))
			;;
		-*) ;;
		*)
			echo "${COMP_WORDS[i]}"
			return
			;;
		esac
	done
}

_pushletctl_words() {
	case $2 in
	-n | --name)
		(cd /dev/shm 2>/dev/null && printf '/%s\n' *)
		return
		;;
	--subject)
		_pushletctl_ask subjects 2
		return
		;;
	show | kick)
		_pushletctl_ask sessions 1
		return
		;;
	watch)
		_pushletctl_ask subjects 2
		return
		;;
	esac
	case $1 in
	-*) echo "$_pushletctl_options" ;;
	*) test -n "$(_pushletctl_command)" || echo "$_pushletctl_commands" ;;
	esac
}

_pushletctl() {
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}

	case $previous in
	-c | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_pushletctl_words "$current" "$previous")" \
			-- "$current")
		;;
	esac
}

complete -F _pushletctl pushletctl
