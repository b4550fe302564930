// The words that matched. Ranges count code points, JavaScript's strings count UTF-16 units.
const address = new URL("http://127.0.0.1:5000/api/v1/search");
address.search = new URLSearchParams({ q: "السدود في الأردن", lang: "ar" });

const answer = await (await fetch(address)).json();
for (const hit of answer.hits) {
  const letters = Array.from(hit.text);
  const words = hit.highlights.map(({ start, end }) => letters.slice(start, end).join(""));
  console.log(hit.rank, hit.source.path, words.join(" "));
}
