def test_patterns(sign_in):
    r = sign_in("carl").get("/patterns/")
    assert r.status_code == 200
    open("/tmp/patterns.html","wb").write(r.content)
