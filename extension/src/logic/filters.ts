// The filters and tests that templates may use; tests/widgets/test_traits.py holds them against pressmark.rendering.

export const FILTERS =
  "abs capitalize count d default dictsort first float indent int items join last length list lower map max min reject rejectattr replace reverse round select selectattr sort string title tojson trim truncate unique upper wordcount".split(
    " ",
  );

export const TESTS =
  "boolean defined divisibleby eq equalto even false float ge greaterthan gt in integer iterable le lessthan lower lt mapping ne none number odd sequence string true undefined upper".split(
    " ",
  );
