curl -sG http://127.0.0.1:5000/api/v1/search \
  --data-urlencode 'q=Who helped free Marc Fogel?' \
  --data-urlencode 'limit=3'
