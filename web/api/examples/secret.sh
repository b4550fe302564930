# Where the server wants a secret, as it does on every address but this machine's own:
curl -sG http://127.0.0.1:5000/api/v1/search \
  -H "Authorization: Bearer $WARRAQ_SECRET" \
  --data-urlencode 'q=أزمة المياه في الأردن' \
  --data-urlencode 'from=2024-01-01'
