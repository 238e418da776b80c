# Sourced after tests/image/setup.sh: the protos for Python, made anew, in $stubs.

stubs=$PWD/build/containers/python
rm -rf "$stubs"
mkdir -p "$stubs"
mapfile -t protos < <(find protos/rapport -name '*.proto' | sort)
"$python" -m grpc_tools.protoc -I rapport=protos/rapport \
  -I "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
  --python_out="$stubs" --grpc_python_out="$stubs" "${protos[@]}"
