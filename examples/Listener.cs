// A listener to copy from: it misses no change, does none twice, and knows what is the gateway's. C# 7, .NET or Mono.
//
//     mcs -r:System.Net.Http -r:System.Runtime.Serialization Listener.cs
//     TTGATEWAY_TOKEN=... mono Listener.exe http://GATEWAY:8000 http://THIS-MACHINE:8990/orders orders.json
//
// With WEBHOOK_SECRET=whsec_... in the environment, it takes nothing that is not signed with that.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Security.Cryptography;
using System.Text;
using System.Threading;

// One order as a change left it; a mark of a snapshot has type, seq and count alone.
[DataContract]
public class Change
{
    [DataMember(Name = "type")] public string Type;
    [DataMember(Name = "seq")] public long Seq;
    [DataMember(Name = "count", EmitDefaultValue = false)] public int Count;
    [DataMember(Name = "uuid")] public string Uuid;
    [DataMember(Name = "name")] public string Name;
    [DataMember(Name = "orderType")] public string OrderType;
    [DataMember(Name = "locationName")] public string LocationName;
    [DataMember(Name = "state")] public string State;
    [DataMember(Name = "paged")] public bool Paged;
}

// What the gateway answers, as far as it is looked at.
[DataContract]
public class Reply
{
    [DataMember(Name = "status")] public int Status;
    [DataMember(Name = "message")] public string Message;
    [DataMember(Name = "items")] public List<Change> Items;
}

// What is asked for with a registration; without a secret, nothing is signed.
[DataContract]
public class Wishes
{
    [DataMember(Name = "http_client")] public string Url;
    [DataMember(Name = "snapshot")] public bool Snapshot = true;
    [DataMember(Name = "secret", EmitDefaultValue = false)] public string Secret;
}

// The orders, and how far we are: seq, in the journal called epoch. All is in one file, old or new.
[DataContract]
public class Kept
{
    [DataMember(Name = "epoch")] public string Epoch = "";
    [DataMember(Name = "seq")] public long Seq;
    [DataMember(Name = "orders")] public List<Change> Orders = new List<Change>();
}

public static class Listener
{
    static readonly string Token = Environment.GetEnvironmentVariable("TTGATEWAY_TOKEN");
    static readonly string Secret = Environment.GetEnvironmentVariable("WEBHOOK_SECRET");
    static readonly HttpClient Client = // the gateway is in this store: no proxy
        new HttpClient(new HttpClientHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(4) };
    static readonly AutoResetEvent Anew = new AutoResetEvent(false);
    static readonly object OneAfterTheOther = new object();
    static string gateway, ownUrl, file;
    static Kept kept = new Kept();
    static List<Change> snapshot; // what has come of a snapshot that is being told

    public static void Main(string[] arguments)
    {
        gateway = arguments[0].TrimEnd('/');
        ownUrl = arguments[1];
        file = arguments[2];
        Load();
        var server = new HttpListener();
        server.Prefixes.Add(new Uri(ownUrl).GetLeftPart(UriPartial.Authority) + "/");
        server.Start();
        new Thread(StayRegistered) { IsBackground = true }.Start(); // the server must answer a HEAD meanwhile
        while (true)
        {
            var context = server.GetContext();
            ThreadPool.QueueUserWorkItem(_ => Answer(context));
        }
    }

    // Registers at the start, when Anew is set, and each ten minutes: the gateway's store may have been replaced.
    // Each time the gateway first tells how things stand: a snapshot.
    static void StayRegistered()
    {
        var wishes = Written(new Wishes { Url = ownUrl, Secret = string.IsNullOrEmpty(Secret) ? null : Secret });
        while (true)
        {
            var pause = TimeSpan.FromMinutes(10);
            try
            {
                var reply = Call(HttpMethod.Post, "/api/v2/register", wishes);
                if (reply.Status != 200) throw new IOException(reply.Message);
            }
            catch (Exception error) // it may be starting, or not reach us yet
            {
                Print("cannot register yet: " + error.Message);
                pause = TimeSpan.FromSeconds(2);
            }
            Anew.WaitOne(pause);
        }
    }

    static void Answer(HttpListenerContext context)
    {
        try
        {
            context.Response.StatusCode = StatusFor(context.Request);
            context.Response.ContentLength64 = 0;
            context.Response.Close();
        }
        catch (Exception error) // the caller has gone
        {
            Print("not answered: " + error.Message);
        }
    }

    static int StatusFor(HttpListenerRequest request)
    {
        if (request.HttpMethod != "POST") return request.HttpMethod == "HEAD" ? 200 : 405; // it looks whether we are here
        var body = new MemoryStream();
        request.InputStream.CopyTo(body);
        if (!string.IsNullOrEmpty(Secret) && !IsSigned(request, body.ToArray()))
        {
            Print("a bad signature from " + request.RemoteEndPoint.Address);
            return 401;
        }
        try
        {
            var epoch = request.Headers["webhook-id"].Split('.')[0];
            var inSnapshot = request.Headers["ttgateway-flags"] == "snapshot";
            var attempt = int.Parse(request.Headers["ttgateway-attempt"]);
            lock (OneAfterTheOther)
                if (TakeOrForget(epoch, Read<Change>(body.ToArray()), inSnapshot, attempt)) return 200;
            Anew.Set();
        }
        catch (Exception error) // the disk: let the gateway send this again
        {
            Print("cannot keep this now: " + error.Message);
        }
        return 503;
    }

    // Tells whether a delivery is the gateway's. Its age is not judged: clocks in stores are wrong, and seq knows.
    static bool IsSigned(HttpListenerRequest request, byte[] body)
    {
        var head = Encoding.ASCII.GetBytes(request.Headers["webhook-id"] + "." + request.Headers["webhook-timestamp"] + ".");
        using (var hmac = new HMACSHA256(Convert.FromBase64String(Secret.Substring("whsec_".Length))))
        {
            var expected = "v1," + Convert.ToBase64String(hmac.ComputeHash(head.Concat(body).ToArray()));
            return (request.Headers["webhook-signature"] ?? "").Split(' ').Any(shown => AreEqual(shown, expected));
        }
    }

    static bool AreEqual(string one, string other) // in the same time wherever they differ
    {
        var differences = one.Length ^ other.Length;
        for (var i = 0; i < Math.Min(one.Length, other.Length); i++) differences |= one[i] ^ other[i];
        return differences == 0;
    }

    // Takes a delivery; forgets what could not be kept, or it would pass for known when it comes again.
    static bool TakeOrForget(string epoch, Change change, bool inSnapshot, int attempt)
    {
        try
        {
            return Take(epoch, change, inSnapshot, attempt);
        }
        catch
        {
            Load();
            throw;
        }
    }

    // Makes a delivery safe; returns false if it should come again, as something before it is missing.
    static bool Take(string epoch, Change change, bool inSnapshot, int attempt)
    {
        if (change.Type == "SNAPSHOT_BEGIN")
        {
            CatchUp(epoch, change.Seq); // what we missed one by one, where that can be had
            snapshot = new List<Change>();
        }
        else if (inSnapshot && snapshot == null)
        {
            return false; // we were started in the middle of it
        }
        else if (change.Type == "SNAPSHOT_END")
        {
            if (epoch != kept.Epoch || change.Seq >= kept.Seq) EndSnapshot(epoch, change.Seq); // else it is an old one
            snapshot = null;
        }
        else if (inSnapshot)
        {
            Put(snapshot, change);
        }
        else if (epoch == kept.Epoch && kept.Orders.Any(order => order.Uuid == change.Uuid && order.Seq >= change.Seq))
        {
            Print(change.Seq + " came again");
        }
        else
        {
            if (!CatchUp(epoch, change.Seq - 1))
            {
                if (attempt < 3) return false; // a snapshot is on its way, as we register
                if (epoch != kept.Epoch) kept = new Kept { Epoch = epoch }; // it is not: then this is all that we know
            }
            Apply(change);
            Save();
        }
        return true;
    }

    static void EndSnapshot(string epoch, long seq)
    {
        var names = snapshot.Select(order => " " + order.Name).OrderBy(name => name, StringComparer.Ordinal);
        Print("snapshot " + seq + string.Concat(names));
        if (epoch == kept.Epoch) snapshot.AddRange(kept.Orders.Where(order => order.State == "cleared"));
        kept = new Kept { Epoch = epoch, Seq = seq, Orders = snapshot };
        Save();
    }

    // Fetches the changes up to `until` that have not come; returns whether there are no others any more.
    static bool CatchUp(string epoch, long until)
    {
        while (epoch == kept.Epoch && kept.Seq < until)
        {
            var missed = Events(epoch).Where(change => change.Seq <= until).ToList();
            if (missed.Count == 0) return false;
            missed.ForEach(Apply);
            Save();
        }
        return epoch == kept.Epoch;
    }

    static List<Change> Events(string epoch)
    {
        try
        {
            var reply = Call(HttpMethod.Get, "/api/v2/events?since=" + kept.Seq + "&epoch=" + epoch + "&limit=100", null);
            if (reply.Status == 200) return reply.Items;
            Print("cannot fetch what is missing: " + reply.Message); // 410: no longer kept
        }
        catch (Exception error)
        {
            Print("cannot fetch what is missing: " + error.Message);
        }
        return new List<Change>();
    }

    // Does what is to be done for one change, which comes here once: this is the place for your own work.
    static void Apply(Change change)
    {
        Print(change.Seq + " " + change.Type + " " + change.Name + " " + change.State);
        Put(kept.Orders, change);
        kept.Seq = Math.Max(kept.Seq, change.Seq);
        // What was cleared of late is known for a while, if it is told again.
        kept.Orders.RemoveAll(order => order.State == "cleared" && order.Seq <= kept.Seq - 500);
    }

    static void Put(List<Change> orders, Change change)
    {
        orders.RemoveAll(order => order.Uuid == change.Uuid);
        orders.Add(change);
    }

    static void Load()
    {
        kept = File.Exists(file) ? Read<Kept>(File.ReadAllBytes(file)) : new Kept();
    }

    // What happens at a power cut is either before this or after it. It may be before it for some seconds more, as the
    // new name cannot be synced from here: then the changes of these seconds are fetched again.
    static void Save()
    {
        var written = Written(kept);
        using (var stream = new FileStream(file + ".new", FileMode.Create))
        {
            stream.Write(written, 0, written.Length);
            stream.Flush(true);
        }
        if (File.Exists(file)) File.Replace(file + ".new", file, null);
        else File.Move(file + ".new", file);
    }

    // Calls the gateway; throws where it is not reached. Every reply is JSON, and repeats its status.
    static Reply Call(HttpMethod method, string path, byte[] body)
    {
        var request = new HttpRequestMessage(method, gateway + path);
        request.Headers.Add("Authorization", "Bearer " + Token);
        if (body != null) request.Content = new ByteArrayContent(body);
        using (var reply = Client.SendAsync(request).GetAwaiter().GetResult())
            return Read<Reply>(reply.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult());
    }

    static T Read<T>(byte[] json)
    {
        return (T)new DataContractJsonSerializer(typeof(T)).ReadObject(new MemoryStream(json));
    }

    static byte[] Written<T>(T shown)
    {
        var stream = new MemoryStream();
        new DataContractJsonSerializer(typeof(T)).WriteObject(stream, shown);
        return stream.ToArray();
    }

    static void Print(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
