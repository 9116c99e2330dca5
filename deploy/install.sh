# Installs what deploy/test and the other scripts of this folder need, each only
# where it is missing. To be sourced, from the root of the repository.

bin=$PWD/deploy/.cache/bin
mkdir -p "$bin"

updated=

# debian PACKAGE… installs packages of Debian's.
debian() {
	command -v apt-get >/dev/null || {
		echo "missing: $*. This script installs on Debian and Ubuntu only; install them by hand and start again." >&2
		return 1
	}
	local root=()
	if [[ $EUID -ne 0 ]]; then
		command -v sudo >/dev/null || {
			echo "missing: $*. Installing needs root or sudo." >&2
			return 1
		}
		root=(sudo)
	fi
	echo "installing from Debian: $*"
	if [[ -z $updated ]]; then
		"${root[@]}" apt-get update -qq
		updated=yes
	fi
	# RUNLEVEL=1 keeps the packages from starting services of their own.
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -y -qq --no-install-recommends "$@" >"$bin/../apt.log" 2>&1 || {
		tail -20 "$bin/../apt.log" >&2
		return 1
	}
}

# install_compiler: the race detector links against C.
install_compiler() {
	command -v gcc >/dev/null || debian gcc libc6-dev
	export CGO_ENABLED=1
}

# install_servers: the broker and the database that tests start by themselves.
install_servers() {
	server_path mosquitto >/dev/null || debian mosquitto
	server_path postgres >/dev/null || debian postgresql
}

# install_clients: what the examples of a device are written for. The client of Node comes
# by npm, see install_mqttjs; where that is not to be had its example is left out.
install_clients() {
	command -v mosquitto_pub >/dev/null && [[ -f /usr/include/mosquitto.h ]] && /usr/bin/python3 -c 'import paho.mqtt' 2>/dev/null && command -v g++ >/dev/null ||
		debian mosquitto-clients libmosquitto-dev python3-paho-mqtt g++
}

# install_mqttjs prints the folder that holds the client of Node.
install_mqttjs() {
	local version=5.16.0
	local folder=$bin/../mqttjs-$version
	if [[ ! -d $folder ]]; then
		command -v npm >/dev/null || return
		echo "installing mqtt $version into deploy/.cache" >&2
		npm install --silent --no-audit --no-fund --no-package-lock --prefix "$folder.new" "mqtt@$version" >&2 || return
		mv "$folder.new" "$folder"
	fi
	realpath "$folder/node_modules"
}

# install_oidc_provider prints the folder that holds oidc-provider, at which a test signs in.
# It needs Node.js 20; where that or npm is not to be had its test is left out.
install_oidc_provider() {
	local version=9.13.3
	local folder=$bin/../oidc-provider-$version
	if [[ ! -d $folder ]]; then
		command -v npm >/dev/null || return
		[[ $(node -p 'process.versions.node.split(".")[0]') -ge 20 ]] || return
		echo "installing oidc-provider $version into deploy/.cache" >&2
		npm install --silent --no-audit --no-fund --no-package-lock --prefix "$folder.new" "oidc-provider@$version" >&2 || return
		mv "$folder.new" "$folder"
	fi
	realpath "$folder/node_modules"
}

# install_emulator: runs programs of another processor.
install_emulator() {
	command -v qemu-aarch64 >/dev/null || debian qemu-user
}

# install_browser: the pages are tried in a real one. axe-core comes by npm, see
# install_axe; where that is not to be had they are tried without it.
install_browser() {
	command -v chromium >/dev/null || debian chromium
	command -v npm >/dev/null || debian npm || true
}

# install_axe prints the path of axe-core, which looks for what keeps people from using
# a page. It comes from npm, and has to be the very file that was looked at.
install_axe() {
	local version=4.14.1 sum=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
	local file=$bin/../axe-$version.min.js
	if [[ ! -f $file ]]; then
		command -v npm >/dev/null || {
			echo "missing: npm, which axe-core comes by. Install it to try the pages with axe-core." >&2
			return 1
		}
		echo "installing axe-core $version into deploy/.cache" >&2
		local folder
		folder=$(mktemp -d)
		(cd "$folder" && npm pack --silent "axe-core@$version" >/dev/null && tar -xzf "axe-core-$version.tgz" package/axe.min.js) || return
		echo "$sum  $folder/package/axe.min.js" | sha256sum --check --quiet >&2 || return
		mv "$folder/package/axe.min.js" "$file"
		rm -rf "$folder"
	fi
	realpath "$file"
}

# install_node_red prints the path of Node-RED's program, which deploy/bench compares
# with. It comes from npm; where that is not to be had it is left out.
install_node_red() {
	local version=4.1.8
	local folder=$bin/../node-red-$version
	if [[ ! -d $folder ]]; then
		command -v npm >/dev/null || {
			echo "missing: npm, which Node-RED comes by: it is left out." >&2
			return
		}
		echo "installing node-red $version into deploy/.cache" >&2
		npm install --silent --no-audit --no-fund --no-package-lock --prefix "$folder.new" "node-red@$version" >&2 || return
		mv "$folder.new" "$folder"
	fi
	realpath "$folder/node_modules/node-red/red.js"
}

# server_path NAME prints where a server's program is: Debian keeps some outside PATH.
server_path() {
	local path
	for path in "$(command -v "$1" || true)" "/usr/sbin/$1" /usr/lib/postgresql/*/bin/"$1"; do
		[[ -x $path ]] && echo "$path" && return
	done
	return 1
}

# install_go_tool NAME PACKAGE VERSION [FLAG…] prints the path of a Go program,
# and builds it first, with the flags, where that version is in none of the usual
# places.
install_go_tool() {
	local name=$1 package=$2 version=$3 path
	shift 3
	for path in "$bin/$name" "$(go env GOPATH)/bin/$name"; do
		if [[ -x $path ]] && go version -m "$path" | grep -q "mod.*$version"; then
			echo "$path"
			return
		fi
	done
	echo "installing $name $version into deploy/.cache/bin" >&2
	GOBIN=$bin GOFLAGS='' go install "$@" "$package@$version"
	echo "$bin/$name"
}

# older_program [REF] prints the path of Vigie as it was at a commit, tag or branch,
# built from the history: the latest release unless said; where nothing is tagged,
# from before PostgreSQL's schema last refused older programs: a floor in it was raised.
older_program() {
	local ref=${1:-} tree
	if [[ -z $ref ]]; then
		ref=$(git describe --tags --abbrev=0 2>/dev/null) ||
			ref=$(git log -1 --format=%h -G'^	\{"[a-z]+", [a-zA-Z]+, ([2-9]|[0-9]{2,})\},$' -- ingest/stores/postgres/schema.go)~1
	fi
	ref=$(git rev-parse --quiet --verify "$ref^{commit}") || {
		echo "this clone holds no older version. Give a commit that it holds, or fetch the history: git fetch --unshallow" >&2
		return 1
	}
	local program=$bin/vigie-${ref:0:12}
	if [[ ! -x $program ]]; then
		echo "building the older $(git log -1 --format='%h (%cs, %s)' "$ref")" >&2
		tree=$(mktemp -d)
		git archive "$ref" | tar -x -C "$tree"
		(cd "$tree" && go build -buildvcs=false -o "$program" ./cmd/vigie) || return
		rm -rf "$tree"
	fi
	echo "$program"
}
