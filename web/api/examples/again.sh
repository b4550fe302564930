# Ask again only if the answer is another one: an ETag stands for a generation of the index and a query.
address='http://127.0.0.1:5000/api/v1/search?q=water'
tag=$(curl -s -o answer.json -D - "$address" | tr -d '\r' | sed -n 's/^etag: //Ip')
curl -s -o answer.json -w '%{http_code}\n' -H "If-None-Match: $tag" "$address"
